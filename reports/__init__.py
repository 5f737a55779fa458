"""What came out: the fold of the evidence, the verdicts and the files of a run."""
