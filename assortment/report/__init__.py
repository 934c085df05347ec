"""The answer on paper: a page per store, one for the chain, a workbook, tables, and figures for notebooks."""

from assortment.report.save import render, save
from assortment.report.summary import summary

__all__ = ["render", "save", "summary"]
