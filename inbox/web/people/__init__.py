"""The pages that people use: server-rendered, without script, on a listener of their own."""
