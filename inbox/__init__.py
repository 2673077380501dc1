"""The receiver's side of confidential case mail: custody, verification, routing, need to know, receipt."""
