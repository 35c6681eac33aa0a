"""How far an attribution can be trusted: measured on the model, on a randomised model, on boxes, on other methods."""
