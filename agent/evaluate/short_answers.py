"""Short things people say that answer no question about a contact, and sentences about contacts.

Each list is cut in two by ``halves``: one to develop on, one held out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

WORDS = (
    "power|banana|window|Saturday|chocolate|nothing|sometimes|orange|downstairs|the radio|"
    "purple|breakfast|morning|a sandwich|the garden|outside|umbrella|louder|quiet|winter|"
    "the television|my keys|the bathroom|a minute|traffic|the news|yesterday|perfect|wonderful|"
    "terrible|hungry|tired|water|music|the laundry|battery|holiday|Wednesday|September|midnight|"
    "nine thirty|forty two|half past six|a hundred|zero|the red one|both|neither|everyone|"
    "somebody|my sister|grandma|the plumber|a taxi|the police|the bank|work|home|school|the office|"
    "flowers|candles|garage|brighter|darker|warmer|colder|faster|the blinds|curtains|kettle|toast|"
    "spaghetti|potatoes|tomato soup|mustard|pepper|vanilla|lavender|silver|golden|marble|cotton|"
    "thunder|sunshine|rainbow|blizzard|ocean|desert|mountain|bridge|castle|engine|bicycle|"
    "helicopter|satellite|keyboard|printer|charger|invoice|contract|meeting|calendar|deadline|"
    "birthday|wedding|vacation|passport|suitcase|hotel|airport|museum|concert|cinema").split("|")
PHRASES = (
    "no thanks|maybe later|I don't know|never mind|hold on|what was that|say it again|thank you|"
    "not now|good night|good evening|see you later|just a second|that's enough|leave it|forget it|"
    "I changed my mind|none of those|neither of them|someone else|nobody at all|go back|start over|"
    "stop it|be quiet|turn it up|turn it down|play some jazz|next song|what's the weather|"
    "how are you|who are you|what can you do|where is my phone|what day is it|how late is it|"
    "is it raining|open the door|close the window|lights off|dim the lights|set an alarm|"
    "cancel the timer|ten minutes please|call it off|hang up now|I'm not sure|I'm busy|in a moment|"
    "wait for me|come back|over there|right here|of course not|absolutely not|certainly|"
    "I doubt it|ask me later|not today|maybe tomorrow|on Friday|next weekend|this afternoon|"
    "let me think|let me see|um nothing|uh what|er no|hmm|oh well|okay then|alright|you bet|"
    "sounds good|no way|why not|what else|how much|how come|whatever|excuse me|pardon me|sorry|"
    "bless you|good job|well done|happy birthday|merry Christmas|two coffees|a large pizza|"
    "more milk|less sugar|the usual|the same again|something cheaper|the nearest one|"
    "turn left|straight ahead|too loud|too dark|it's cold|I'm home|we're leaving").split("|")
FOREIGN_FIRST = (
    "Dmitri Guillermo Bjorn Aleksandra Hiroshi Olufemi Katarzyna Siobhan Giovanni Thandiwe "
    "Svetlana Mehmet Xiomara Rajesh Fatima Nikolai Yusuf Leila Kwame Ingeborg Matteo Zeynep "
    "Arjun Keiko Pavel Amara Joaquin Sunniva Tomasz Nadia Bartosz Chiamaka Emre Fumiko Gustavo "
    "Halima").split()
FOREIGN_LAST = (
    "Petrenko Ramirez Larsen Zhang Wisniewski Tanaka Adebayo Murphy Ferrari Dlamini Volkov Demir "
    "Gonzalez Patel Hassan Sokolov Rahman Okonkwo Nilsson Bianco Kaya Sharma Suzuki Horvath Diallo "
    "Mendoza Haugen Nowak Benali Wojcik Eze Aydin Mori Cardoso Bello Kowalczuk").split()
MESSAGES = (
    "remind me to tell {} about the party|send a message to {} that I am late|"
    "what is the birthday of {}|did {} call me back yesterday|is {} coming to dinner on Friday|"
    "write {} an email about the meeting|tell {} that dinner is ready|where does {} live now|"
    "add lunch with {} to my calendar|when did {} write to me last|ask {} whether she is coming|"
    "I need to buy a present for {}|read me the last message from {}|"
    "how long does it take to get to {} by car|remind me on Monday to pay back {}|"
    "let {} know that the train is delayed|is there anything new from {} today|"
    "move the meeting with {} to next week|show me the pictures that {} sent|"
    "please say hello to {} from all of us").split("|")
"""Sentences with a contact inside that no carrier covers."""


def foreign_names(chance: random.Random, count: int) -> list[str]:
    """Names of many languages: first names alone, surnames alone, full names."""
    made = []
    for at in range(count):
        first, last = chance.choice(FOREIGN_FIRST), chance.choice(FOREIGN_LAST)
        made.append((first, f"{first} {last}", last)[at % 3])
    return list(dict.fromkeys(made))


def halves(texts: Sequence[str], *, held_out: bool) -> list[str]:
    """Every second text."""
    return list(texts[held_out::2])
