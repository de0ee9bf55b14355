"""What all pages share: loading, pickers, forms, pictures, jobs, rights, the server."""
