"""Puts this folder on the import path: helpers that tests of several folders share are here."""
