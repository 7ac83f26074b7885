# meant another name: t is the time
param t[3]
map phi = t
