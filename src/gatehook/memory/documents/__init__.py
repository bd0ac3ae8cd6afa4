"""Files as documents: decoded, divided by their headings into chunks that can be cited."""
