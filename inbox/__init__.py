"""The receiver's side of confidential case mail: custody, check, routing, need to know, receipt."""
