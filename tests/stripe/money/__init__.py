"""What things cost: integers of a currency's minor unit in, integers out; half a unit is rounded away from zero."""
