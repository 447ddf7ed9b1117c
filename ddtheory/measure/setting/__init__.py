"""What is measured: a model, its true parameter, the data, the directions."""
