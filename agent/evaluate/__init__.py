"""Evaluation on recorded audio: noise, scoring, calibration, signal experiments."""
