"""What is shipped of a domain, put where others find it: a directory, or a repository of the Hugging Face Hub."""
