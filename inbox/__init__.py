"""Receives confidential case mail: custody, checks, routing, need-to-know access and receipts."""
