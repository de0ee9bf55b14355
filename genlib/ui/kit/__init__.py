"""What all pages share: loading, pickers, pictures, jobs, rights, the server."""
