"""What is pure: the words and decisions of the domain, without input or output."""
