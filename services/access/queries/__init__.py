"""What the pages ask: rows → the bodies of the contract."""
