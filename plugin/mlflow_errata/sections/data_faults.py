"""x"""
TITLE="Data faults"
from mlflow_errata.blocks import Verdict, NotMade
def verdict(r,rec): return Verdict("bad" if r.found else "good",str(len(r.faults)))
def section(r,rec): return [verdict(r,rec)]
def not_made(a,b): return NotMade(a)
