"""The board's own program: MicroPython, for the Raspberry Pi Pico.

Only ``main.py`` and ``voiceboard/`` are copied to the board. ``voiceboard`` needs nothing that is
MicroPython's alone, so that the Raspberry Pi's own LEDs and the emulated board run it too.
"""
