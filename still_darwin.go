package main

import "fyne.io/fyne/v2"

func still(fyne.App) {}
