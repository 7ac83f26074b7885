# meant to add param and map
dim n = 3
let m = n + 1
