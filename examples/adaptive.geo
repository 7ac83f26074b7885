# examples/adaptive.geo: optimizers that rescale each coordinate, in continuous time, on one product of three weights
# Gradient flow keeps x**2 - y**2 and y**2 - z**2. A memory of squared gradients keeps nothing.
model product_adam
param x, y, z
map phi = x*y*z
flow adam(b1 = 1/10, b2 = 1/20)
expect no laws

model product_rmsprop
param x, y, z
map phi = x*y*z
flow rmsprop(b2 = 1/10)
expect no laws

# Sign descent has no memory: all coordinates move at speed 1.
model product_sign
param x > 0, y > 0, z > 0
map phi = x*y*z
flow sign(0)
law differences = [x - y, y - z]
expect laws = 2
expect complete

# The cube of each gradient.
model product_cubes
param x, y, z
map phi = x*y*z
flow sign(3)
law fourths = [x**4 - y**4, y**4 - z**4]
expect laws = 2
expect complete
