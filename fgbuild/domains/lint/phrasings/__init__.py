"""How people ask for lint work, one module per group of scenarios.

Each list is ordered so that any five neighbours differ in style (order, question, few words,
polite, indirect, a short story), because every fifth phrasing is held out for the exam.
"""
