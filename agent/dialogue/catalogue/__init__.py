"""The user's own names: contacts, devices and places, and where they are read from."""

from __future__ import annotations

from agent.dialogue.catalogue.contacts import Contact, ContactBook, PhoneNumber, read_contacts
from agent.dialogue.catalogue.devices import Area, Device, Home, read_home
from agent.dialogue.catalogue.files import SAMPLES, Catalogue, CatalogueFiles, of_names
from agent.dialogue.catalogue.places import Place, Places, read_places

__all__ = ["SAMPLES", "Area", "Catalogue", "CatalogueFiles", "Contact", "ContactBook", "Device",
           "Home", "PhoneNumber", "Place", "Places", "of_names", "read_contacts", "read_home",
           "read_places"]
