"""What stands between the network and the pages: headers, and files that are the same for all."""
