"""The generated samples: phantoms in the layouts of the datasets."""
