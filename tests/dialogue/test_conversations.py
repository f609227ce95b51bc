"""Conversations as people have them: lines of the user (U) and what the agent does (A, S, D).

``U`` is said, after the wake word unless the microphone was open; ``U?`` is said and heard
unsurely; ``W`` is said after the wake word although an answer was expected. ``A`` is the spoken
reply, ``S`` the summary, ``D`` a directive by its type's name and first field, ``E`` the
expectation with its alternatives, ``T`` lets time pass.
"""

from __future__ import annotations

from typing import Any

import pytest

SCENES = {
    "the surname decides": """
        U call Meg
        A Meg Jones or Meg Bauer?
        E name Meg Jones|Meg Bauer
        U Bauer
        S call Meg Bauer
        D PlaceCall Meg Bauer
        A Calling Meg Bauer.
    """,
    "the other contact": """
        U Call Meg, please.
        U Um, Jones.
        D PlaceCall Meg Jones
    """,
    "the whole name": """
        U call meg
        U meg bauer please
        D PlaceCall Meg Bauer
    """,
    "by position": """
        U call meg
        U the second one
        D PlaceCall Meg Bauer
    """,
    "the last one": """
        U call meg
        U the last one please
        D PlaceCall Meg Bauer
    """,
    "a number": """
        U call meg
        U number one
        D PlaceCall Meg Jones
    """,
    "not the one": """
        U call meg
        U not Jones
        D PlaceCall Meg Bauer
    """,
    "not the one but the other": """
        U call meg
        U no not Jones I meant Bauer
        D PlaceCall Meg Bauer
    """,
    "a shared part decides nothing": """
        U call meg
        U Meg
        A Sorry. Meg Jones or Meg Bauer?
        E name Meg Jones|Meg Bauer
        U Jones
        D PlaceCall Meg Jones
    """,
    "something unrelated is asked again once, then given up": """
        U call meg
        U purple elephants
        A Sorry. Meg Jones or Meg Bauer?
        U seventeen umbrellas
        A Sorry, I did not understand that.
        E -
    """,
    "never mind": """
        U call meg
        U never mind
        A OK.
        E -
        D -
    """,
    "stop": """
        U call meg
        U stop
        D -
        E -
    """,
    "neither": """
        U call meg
        U neither of them
        A OK.
        D -
    """,
    "a new command in the follow-up is that command": """
        U call meg
        U turn on the kitchen light
        S turn on Kitchen Light
        D SetDevice HassTurnOn
    """,
    "another call in the follow-up": """
        U call meg
        U no, call Sofia
        D PlaceCall Sofia Moretti
    """,
    "the question is repeated": """
        U call meg
        U say that again
        A Meg Jones or Meg Bauer?
        E name Meg Jones|Meg Bauer
        U Bauer
        D PlaceCall Meg Bauer
    """,
    "unsure is confirmed": """
        U call meg
        U? Bauer
        A Call Meg Bauer?
        E yes-no yes|no
        D -
        U yes
        D PlaceCall Meg Bauer
    """,
    "unsure and wrong": """
        U call meg
        U? Bauer
        A Call Meg Bauer?
        U no
        A Meg Jones?
        U yes
        D PlaceCall Meg Jones
    """,
    "unsure and corrected by name": """
        U call meg
        U? Bauer
        U no, Jones
        D PlaceCall Meg Jones
    """,
    "unsure and the other one": """
        U call meg
        U? Bauer
        U no, the other one
        D PlaceCall Meg Jones
    """,
    "a repair after the deed": """
        U call meg
        U Bauer
        D PlaceCall Meg Bauer
        U no, the other one
        D PlaceCall Meg Jones
    """,
    "a repair comes too late": """
        U call meg
        U Bauer
        T 120
        U no, the other one
        D -
    """,
    "the wake word again starts anew": """
        U call meg
        W what time is it
        A It is 3:05 PM.
        E -
    """,
    "the wake word again and then the answer": """
        U call meg
        W Bauer
        D PlaceCall Meg Bauer
    """,
    "nobody of that name is spelled": """
        U call Xavier
        A I have nobody called Xavier. How is the name spelled?
        E spelling
        U p a t e l
        D PlaceCall Ravi Patel
    """,
    "a spelling that is nearly right is asked back": """
        U call Xavier
        U P, A, T, A, L
        A Did you mean Ravi Patel?
        E yes-no yes|no
        U yes
        D PlaceCall Ravi Patel
    """,
    "a spelling that names two": """
        U call Xavier
        U m as in mike, e, g
        A Meg Jones or Meg Bauer?
        U Jones
        D PlaceCall Meg Jones
    """,
    "a spelling of nobody": """
        U call Xavier
        U z z z z
        A I have nobody spelled Z, Z, Z, Z.
        E -
    """,
    "the name after all": """
        U call Xavier
        U Sofia Moretti
        D PlaceCall Sofia Moretti
    """,
    "several numbers": """
        U call Tom
        A Tom Okafor, mobile or work?
        E list-item mobile|work
        U at the office
        D PlaceCall Tom Okafor
        S call Tom Okafor, work
    """,
    "the number is said at once": """
        U call Tom at work
        D PlaceCall Tom Okafor
    """,
    "the preferred number": """
        U call Ravi
        D PlaceCall Ravi Patel
    """,
    "a number that is not there": """
        U call Sofia at home
        A I have no home number for Sofia Moretti.
        D -
    """,
    "a nickname": """
        U ring Gracie
        D PlaceCall Grace O'Neill
    """,
    "an apostrophe": """
        U call Grace ONeill
        D PlaceCall Grace O'Neill
    """,
    "whom": """
        U I want to make a phone call
        A Who would you like to call?
        E name
        U call Anna
        D PlaceCall Anna Lindqvist
    """,
    "a light in two rooms": """
        U turn on the light
        A Which light: Kitchen or Bedroom?
        E list-item Kitchen|Bedroom
        U the bedroom
        S turn on Bedroom Light
        D SetDevice HassTurnOn
    """,
    "the lights of which room": """
        U turn off the lights
        A In which room: Kitchen, Bedroom or Living Room?
        U lounge
        S turn off Living Room lights
    """,
    "the other light": """
        U turn on the kitchen light
        U no, the bedroom
        S turn on Bedroom Light
    """,
    "a lamp that is called so": """
        U switch on the lamp
        S turn on Reading Lamp
        A Turning on the Reading Lamp.
    """,
    "a device written nearly so": """
        U turn on the kichen light
        A Did you mean Kitchen Light?
        U yes please
        S turn on Kitchen Light
    """,
    "a device that is not there": """
        U turn on the banana
        A I don't know a device called banana.
        D -
    """,
    "unlocking is confirmed when unsure": """
        U? unlock the front door
        A Unlock Front Door?
        U yes
        S unlock Front Door
        D SetDevice HassTurnOff
    """,
    "unlocking is refused": """
        U? unlock the front door
        U no
        A OK.
        D -
    """,
    "locking needs no confirmation": """
        U? lock the front door
        D SetDevice HassTurnOn
    """,
    "a garage is confirmed when unsure, a blind is not": """
        U? open the garage door
        A Open Garage Door?
        U nope
        U? open the living room blinds
        D SetDevice HassTurnOn
    """,
    "a restaurant from the list": """
        U find a restaurant nearby
        A I found four restaurants: Golden Fork, Casa Lucia, The Green Olive and Saffron House. \
Which one would you like?
        E list-item Golden Fork|Casa Lucia|The Green Olive|Saffron House
        U the green olive
        S choose The Green Olive
        A The Green Olive is at 41 Station Road, 900 metres away.
    """,
    "a part of the name is enough": """
        U show me restaurants
        U Lucia
        S choose Casa Lucia
    """,
    "there": """
        U find a cinema
        U the first one
        S choose Rialto
        U take me there
        D ShowDirections Rialto
    """,
    "coffee shops now, directions later": """
        U find coffee shops
        T 9
        X
        T 60
        U directions to the second one
        S directions to Bean and Leaf
        D ShowDirections Bean and Leaf
    """,
    "coffee shops now, directions by a part of the name later": """
        U where can I get coffee
        X
        T 100
        U take me to Roast
        D ShowDirections Roast Republic
    """,
    "the list is forgotten": """
        U find coffee shops
        X
        T 400
        U directions to the second one
        A I have not told you that many places.
        D -
    """,
    "the list on the screen is picked from later": """
        U find coffee shops
        X
        T 20
        U Blue Door
        S choose Blue Door Café
    """,
    "which of those told": """
        U find coffee shops
        U never mind
        U take me there
        A Blue Door Café, Bean and Leaf, or Roast Republic?
        U Bean and Leaf
        D ShowDirections Bean and Leaf
    """,
    "the nearest": """
        U take me to the nearest petrol station
        D ShowDirections Shell on North Road
    """,
    "nothing of the kind": """
        U are there any hotels nearby
        A I don't know any hotels nearby.
        E -
    """,
    "only one of the kind": """
        U where is the nearest chemist
        A I know one pharmacy. Corner Pharmacy is at 15 High Street, 280 metres away.
        U how do I get there
        D ShowDirections Corner Pharmacy
    """,
    "where to": """
        U navigate
        A Where to?
        U Saffron House
        D ShowDirections Saffron House
    """,
    "an unknown place": """
        U directions to the moon
        A I don't know where moon is.
        D -
    """,
    "how long": """
        U set a timer
        A For how long?
        E number
        U ten minutes
        D StartTimer 600
        A Timer set for 10 minutes.
    """,
    "several timers": """
        U set a pasta timer for ten minutes
        A Pasta timer set for 10 minutes.
        U set a timer for 5 minutes
        T 60
        U how much time is left
        A The 5 minute timer has 4 minutes left and the pasta timer has 9 minutes left.
        U how long is left on the pasta timer
        A 9 minutes left.
        U cancel the timer
        A Which one: 5 minute timer or pasta timer?
        U pasta
        A Pasta timer cancelled.
        U cancel all timers
        A One timer cancelled.
    """,
    "two timers of one length": """
        U set a timer for 5 minutes
        U set a timer for 5 minutes
        U cancel the timer
        A Which one: 5 minute timer or second 5 minute timer?
    """,
    "stop means the timer that rings": """
        U set a timer for one minute
        T 61
        U stop
        S stop the timer
        D StopTimer
        U how much time is left
        A No timer is running.
    """,
    "a timer is paused": """
        U set a timer for 5 minutes
        U pause the timer
        T 600
        U how long is left on the timer
        A 5 minutes left, paused.
        U resume the timer
        T 60
        U how long is left on the timer
        A 4 minutes left.
    """,
    "a shopping list": """
        U add oat milk to my shopping list
        A Added oat milk to the shopping list.
        D ChangeList Shopping List
        U put eggs on the list
        U what's on my shopping list
        A On the shopping list: oat milk and eggs.
        U remove oat milk from the shopping list
        A Removed oat milk from the shopping list.
        U take bread off my shopping list
        A Bread is not on the shopping list.
        U clear my shopping list
        A Clear the whole shopping list?
        U yes
        A The shopping list is empty now.
    """,
    "tasks": """
        U add call the plumber to my to do list
        D ChangeList To Do List
        U check off call the plumber on my tasks
        A Removed call the plumber from the to do list.
    """,
    "not understood twice": """
        U gloop
        A Sorry, what was that?
        E free
        U glorp
        A Sorry, I did not understand that.
        E -
    """,
    "understood at the second try": """
        U gloop
        U call Sofia
        D PlaceCall Sofia Moretti
    """,
    "silence after the wake word": """
        U
        A Sorry, what was that?
        E free
    """,
    "thanks": """
        U thank you very much
        A You are welcome.
        E -
    """,
}


@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str, converse: Any) -> None:
    talk = converse()
    for number, line in enumerate(SCENES[name].strip().splitlines(), 1):
        mark, _, text = line.strip().partition(" ")
        where = f"line {number}: {line.strip()}"
        if mark in ("U", "U?", "W"):
            talk.say(text, unsure=mark == "U?", after_wake=True if mark == "W" else None)
        elif mark == "T":
            talk.wait(float(text))
        elif mark == "X":
            talk.reply = talk.dialogue.timed_out()
        elif mark == "A":
            assert talk.speech == text, where
        elif mark == "S":
            assert talk.reply.summary == text, where
        elif mark == "E":
            assert expectation(talk) == text, where
        else:
            assert mark == "D", where
            assert directive(talk, text), f"{where}; got {talk.done}"


def expectation(talk: Any) -> str:
    if talk.expects is None:
        return "-"
    return f"{talk.expects.expectation} {'|'.join(talk.expects.alternatives)}".strip()


def directive(talk: Any, wanted: str) -> bool:
    if wanted == "-":
        return not talk.done
    kind, _, first = wanted.partition(" ")
    for got in talk.done:
        value = getattr(got, got.__slots__[0])
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if type(got).__name__ == kind and (not first or text == first):
            return True
    return False
