# meant a file of this project
use "../../pyproject.toml"
param U[3]
map phi = U
