"""What bench/run, bench/memory and bench/generate share."""
