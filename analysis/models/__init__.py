"""The classifiers: networks, their training and their predictions.

Networks are named in study files by module and function, and one's own is a module beside them: `assignment`,
`pediatric_imbalanced`, `pediatric_official`, `pediatric_resplit` and `radiography` are those of the studies.

Those on a backbone that others have trained are built by `transfer`, from the table in `backbones`.

Stages are `architecture` (a network described), `pretrained` (weights learnt elsewhere, and the network that begins with
them), `training` and `fine_tuning` (training from such weights), `prediction`, `single_images` (a trained network asked about
files) and `low_detail` (the reference classifier). The other modules are what these consist of.
"""
