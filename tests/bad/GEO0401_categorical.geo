# meant the logits of classes, and gave one number
param u[3], v[3]
map phi = u @ v
metric fisher(full, output = categorical)
