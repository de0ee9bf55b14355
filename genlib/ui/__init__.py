"""The only part of genlib that imports streamlit: cached loading, pickers, forms, components."""
