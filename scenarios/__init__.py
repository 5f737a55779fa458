"""What is asked: the vocabulary of a drill, the loader, number plan, lint rules and the drills themselves."""
