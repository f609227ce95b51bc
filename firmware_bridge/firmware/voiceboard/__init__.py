"""Lights, button and mute switch: everything the board decides, free of hardware.

Times are whole milliseconds that never wrap; whoever runs a ``Board`` brings the clock.
"""
