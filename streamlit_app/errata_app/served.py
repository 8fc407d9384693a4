"""The app behind its guard: what `errata ui` serves. Running app.py by hand keeps every setting but the guard."""

import os
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from errata_app import warming
from errata_app.address import tracking_uri
from mlflow_errata.guard import EVERYWHERE, Guard, Names

ALLOWED = os.environ.get("ERRATA_ALLOWED_HOSTS", "")
names = tuple(name for name in ALLOWED.split(",") if name) or tuple(st.get_option("server.allowedHosts"))
door = Names(names, addresses=st.get_option("server.address") in EVERYWHERE)
remedy = "Name it when the app is started: errata ui --allow-host NAME."
app = st.App(Path(__file__).with_name("app.py"), middleware=[Middleware(Guard, door=door, remedy=remedy)])
warming.start(tracking_uri())  # beside the start of the server, before the first browser comes
