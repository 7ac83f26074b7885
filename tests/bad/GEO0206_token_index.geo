# meant the rows that the tokens choose
dim V = 6
param E[V, 3]
input tokens[4] below V
network g = E[tokens]
