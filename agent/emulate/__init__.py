"""Scenes: recorded conversations held with the same agent that runs on the device.

A *room* stands in for microphone and loudspeaker; everything else is the agent itself.
"""
