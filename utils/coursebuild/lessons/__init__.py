"""How lessons come to a page: started early, their outputs put in."""
