"""Facts about other people's libraries; each file is used only where its library is loaded."""
