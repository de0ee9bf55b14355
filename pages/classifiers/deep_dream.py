import streamlit as st

st.title("DeepDream")
