"""What the parts of DPL are worth: the network trained again without each of them, and measured."""
