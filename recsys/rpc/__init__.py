"""The RPC contract: generated code in v1, see proto/, and its conversion from and to the domain."""
