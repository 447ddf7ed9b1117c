"""Measurements that only the shipped book needs. Blind, like `measure`: nothing here can see a prediction."""
