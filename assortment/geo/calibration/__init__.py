"""The parameters of Huff's model by maximum likelihood, from loyalty homes or from flows."""
