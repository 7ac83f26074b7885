# meant the logits of several classes
param u[3], v[3]
map phi = u @ v
loss cross_entropy
