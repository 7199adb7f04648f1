"""`roomreel init`: asks five questions, and writes the configuration and the registration."""
