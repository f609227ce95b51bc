"""Numbers that go over the line, as docs/firmware-protocol.md lists them."""

VERSION_MIN = 1
VERSION_MAX = 1
FIRMWARE = (1, 0)

# From the host
HELLO = 0x01
HOST_BEAT = 0x02
STATE = 0x10
BYE = 0x11
HOST_ACK = 0x20

# From the board
WELCOME = 0x41
BOARD_BEAT = 0x42
BUTTON = 0x50
MUTE = 0x51
FAULT = 0x52
BOARD_ACK = 0x60

# Results in an acknowledgement
DONE = 0
UNKNOWN_TYPE = 1
BAD_BODY = 2
OUT_OF_ORDER = 3

# States that the host may command
IDLE = 0
WAKE = 1
LISTENING = 2
THINKING = 3
SPEAKING = 4
FOLLOW_UP = 5
MUTED = 6
ERROR = 7
UPDATING = 8
VOLUME = 9
LAST_STATE = VOLUME

# What only the board itself decides to show
MUTED_BY_SWITCH = 16
HOST_LOST = 17
WAITING = 18
OFF = 19

NO_LEVEL = 255
NO_DIRECTION = 0xFFFF

PRESS = 1
LONG = 2
DOUBLE = 3

FAULT_LISTENING_WHILE_MUTED = 1
FAULT_RESTARTED = 2

# Capabilities in the welcome, flags in the board's heartbeat
HAS_SWITCH = 1
CUTS_SUPPLY = 2
IS_MUTED = 1
