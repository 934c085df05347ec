"""The parameters and how far each may stray, estimated; what is chosen by forecasting what was held out."""
