"""How well forecasts hold on stores and weeks that were hidden, against simple averages and against today."""
