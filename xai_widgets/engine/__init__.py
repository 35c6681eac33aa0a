"""Pure functions over tensors: how a model is seen, scored and differentiated. No widget and no method enters here."""
