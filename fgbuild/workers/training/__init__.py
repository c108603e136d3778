"""Prefix-shared supervised fine-tuning on top of TRL's SFTTrainer."""
