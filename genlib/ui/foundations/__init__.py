"""Foundations: pages that live in the browser, for the first hour of the course."""
