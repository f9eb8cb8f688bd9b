module Char exposing (Char)

{-| A stub.

@docs Char

-}


{-| -}
type Char
    = Char
