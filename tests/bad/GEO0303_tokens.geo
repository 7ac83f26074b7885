# meant as many words as the vocabulary has
param E[6, 3]
input tokens[4] below 0
network g = embedding(E, tokens)
