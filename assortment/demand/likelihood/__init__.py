"""The choice model as a function of its parameters: log-likelihood, gradient and curvature."""
