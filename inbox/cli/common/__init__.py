"""What commands share: settings and store, sign-in, output, formats, folders of rules."""
