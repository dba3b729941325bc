"""The interface for members: cards, pages, menus, buttons, forms, and the options that name a hero."""
